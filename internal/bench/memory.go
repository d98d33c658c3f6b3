package bench

import (
	"runtime/metrics"
	"time"

	"github.com/plinthdb/plinth/internal/usage"
)

// Memory is what the process used while one workload ran, warm-up included.
type Memory struct {
	// MaxRSSBytes is the most that was resident, 0 where the system does not
	// tell (it is read from /proc).
	MaxRSSBytes uint64 `json:"maxRSSBytes"`
	// MaxHeapBytes is the most that objects on the Go heap took, dead ones
	// included until they are swept.
	MaxHeapBytes uint64 `json:"maxHeapBytes"`
	// RSSBytes has one sample a second.
	RSSBytes []uint64 `json:"rssBytes"`
}

const (
	memoryInterval   = 100 * time.Millisecond
	samplesPerSecond = int(time.Second / memoryInterval)
)

// memoryWatch samples memory until it is stopped.
type memoryWatch struct {
	quit chan struct{}
	done chan Memory
}

func watchMemory() *memoryWatch {
	w := &memoryWatch{quit: make(chan struct{}), done: make(chan Memory)}
	go w.sample()
	return w
}

func (w *memoryWatch) sample() {
	var m Memory
	ticker := time.NewTicker(memoryInterval)
	defer ticker.Stop()
	for n := 0; ; n++ {
		rss, heap := residentBytes(), heapBytes()
		m.MaxRSSBytes = max(m.MaxRSSBytes, rss)
		m.MaxHeapBytes = max(m.MaxHeapBytes, heap)
		if n%samplesPerSecond == 0 {
			m.RSSBytes = append(m.RSSBytes, rss)
		}
		select {
		case <-ticker.C:
		case <-w.quit:
			w.done <- m
			return
		}
	}
}

// stop ends the sampling and returns what it saw.
func (w *memoryWatch) stop() Memory {
	close(w.quit)
	return <-w.done
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

func residentBytes() uint64 {
	_, resident := usage.MemoryBytes()
	return uint64(resident)
}
