package resolver

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what the process has used of the processors: on a shared machine
// it says more than the time of day.
func cpuTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}
