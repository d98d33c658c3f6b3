package cluster

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// memoryBytes returns how much memory the process has mapped, and how much of it
// is resident; zeros if the system does not say.
func memoryBytes() (virtual, resident int64) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0
	}
	if _, err := fmt.Sscan(string(text), &virtual, &resident); err != nil {
		return 0, 0
	}
	page := int64(os.Getpagesize())
	return virtual * page, resident * page
}

// cpuSeconds returns how long the process has used processors; 0 if the system
// does not say.
func cpuSeconds() float64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}
