//go:build !linux

package embedded_test

import "time"

// cpuTime is 0: it is only known on Linux.
func cpuTime() time.Duration { return 0 }
