"""Plans of a campaign: how many officers, shifts, stations and mobile teams, where and when."""
