package bench

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Machine describes where a run took place.
type Machine struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Memory string `json:"memory"`
	Go     string `json:"go"`
}

// ThisMachine describes the machine that the caller runs on; what the system
// does not tell is "unknown".
func ThisMachine() Machine {
	return Machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version(),
		CPU:    procField("/proc/cpuinfo", "model name"),
		Memory: procField("/proc/meminfo", "MemTotal"),
	}
}

// procField returns the first "name: value" of a file under /proc, "unknown"
// where there is none.
func procField(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if field, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(field) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// String describes the machine in a line.
func (m Machine) String() string {
	return fmt.Sprintf("%d CPUs (%s), memory %s, %s, %s/%s.", m.CPUs, m.CPU, m.Memory, m.Go, m.OS, m.Arch)
}

// FsyncTimes holds how long a write of 4 KiB and its fsync took, over all calls
// of Measure.
type FsyncTimes struct {
	MedianMicros float64 `json:"medianMicros"`
	P99Micros    float64 `json:"p99Micros"`
	micros       []float64
}

const fsyncsPerMeasure = 200

// Measure appends 200 times to a file in dir, syncing each time, and removes
// the file.
func (f *FsyncTimes) Measure(dir string) (err error) {
	file, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	block := make([]byte, 4096)
	for range fsyncsPerMeasure {
		start := time.Now()
		if _, err := file.Write(block); err != nil {
			return err
		}
		if err := file.Sync(); err != nil {
			return err
		}
		f.micros = append(f.micros, float64(time.Since(start).Microseconds()))
	}
	slices.Sort(f.micros)
	f.MedianMicros = f.micros[len(f.micros)/2]
	f.P99Micros = f.micros[len(f.micros)*99/100]
	return nil
}

// String gives the figures, and a warning if they are too good.
func (f *FsyncTimes) String() string {
	text := fmt.Sprintf("median %.0f µs, 99 %% below %.0f µs", f.MedianMicros, f.P99Micros)
	if f.MedianMicros < 20 {
		text += "; WARNING: no disk is that fast, so nothing here was durable: give --dir on a real disk"
	}
	return text
}
