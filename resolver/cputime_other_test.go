//go:build !linux

package resolver

import "time"

var processStart = time.Now()

// cpuTime is the time of day where the processor's is not at hand.
func cpuTime() time.Duration { return time.Since(processStart) }
