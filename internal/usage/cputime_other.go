//go:build !unix

package usage

import "time"

// CPUTime returns 0: nobody asks this system yet.
func CPUTime() time.Duration { return 0 }
