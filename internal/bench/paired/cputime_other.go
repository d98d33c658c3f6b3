//go:build !unix

package paired

import "time"

// cpuTime is 0: nobody asks this system yet.
func cpuTime() time.Duration { return 0 }
