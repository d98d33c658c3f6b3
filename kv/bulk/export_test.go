package bulk

// For the tests of how a range is split.
var SplitPoints = splitPoints

// ProbeRows is how many rows probing looks for.
const ProbeRows = probeRows
