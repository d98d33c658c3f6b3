//go:build !wasip1

package world

import "time"

// CloseLimit is how long what is left of a dead process may take to end, and
// how long an orderly Close may take on a healthy disk. Outside the simulation
// time is real and the machine may be busy with other things, so it is no more
// than a bound on how long a test can hang.
const CloseLimit = 5 * time.Minute
