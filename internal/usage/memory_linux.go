package usage

import (
	"fmt"
	"os"
)

// MemoryBytes returns how much memory the process has mapped, and how much of it
// is resident.
func MemoryBytes() (virtual, resident int64) {
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
