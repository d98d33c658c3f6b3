//go:build !linux

package cluster

// memoryBytes returns zeros: only Linux is asked.
func memoryBytes() (virtual, resident int64) { return 0, 0 }

// cpuSeconds returns 0: only Linux is asked.
func cpuSeconds() float64 { return 0 }
