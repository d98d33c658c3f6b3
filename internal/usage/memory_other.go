//go:build !linux

package usage

// MemoryBytes returns zeros: nobody asks this system yet.
func MemoryBytes() (virtual, resident int64) { return 0, 0 }
