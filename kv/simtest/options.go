package simtest

import (
	"slices"
	"time"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/scenario"
)

// Fault is a kind of thing that goes wrong.
type Fault uint8

// The kinds of faults. Natively, under go test, there are Kill and PowerLoss
// only.
const (
	// Kill ends the process of the store at any moment. What it wrote stays.
	Kill Fault = iota
	// PowerLoss ends it and loses a random part of what was not synced.
	PowerLoss
	// SlowDisk makes the disk up to 200 times slower for a while.
	SlowDisk
	// FullDisk lets writes fail for a while since there is no space.
	FullDisk
	// DiskError lets reads, writes and syncs fail for a while.
	DiskError
	// FailedSync lets one sync fail, and the power go soon after.
	FailedSync
	// LostMessage loses requests and answers between clients on other machines
	// and the store.
	LostMessage
	// RarePath makes the store take paths that are legal but rare, often.
	RarePath
)

// Option changes how Run runs a test. None is needed.
type Option func(*options)

type options struct {
	simulated, native time.Duration
	// faults are those that may happen.
	faults     []Fault
	usualSizes bool
}

const (
	defaultLength       = 10 * time.Second
	defaultNativeLength = 500 * time.Millisecond
)

func newOptions(given []Option) options {
	o := options{simulated: defaultLength, native: defaultNativeLength}
	for fault := Kill; fault <= RarePath; fault++ {
		o.faults = append(o.faults, fault)
	}
	for _, option := range given {
		option(&o)
	}
	return o
}

// WithLength says for how long there are faults: of virtual time under plinth
// sim, and of real time under go test. The default is 10 s and 0.5 s.
func WithLength(simulated, native time.Duration) Option {
	return func(o *options) { o.simulated, o.native = simulated, native }
}

// WithFaults allows these kinds of faults only, none if there are no arguments.
// The default is all of them. Each seed leaves out about half of what is
// allowed, at random.
func WithFaults(faults ...Fault) Option {
	return func(o *options) { o.faults = faults }
}

// WithUsualSizes gives the store the caches, files and queues that it has in
// real life. By default each seed draws smaller ones, so that every limit is
// reached within seconds.
func WithUsualSizes() Option {
	return func(o *options) { o.usualSizes = true }
}

func (o *options) allows(f Fault) bool { return slices.Contains(o.faults, f) }

// loss is how likely a message is lost, from a tenth of what a bad network
// loses to far more.
const (
	minLoss, maxLoss = 0.002, 0.2
)

// Pace of what happens natively, where half a second must do.
const (
	nativeDeath    = 150 * time.Millisecond
	nativeDowntime = 10 * time.Millisecond
	nativePause    = 2 * time.Millisecond
	nativeLatency  = 100 * time.Microsecond
)

// restrict takes from the seed's world what cannot be survived by one disk
// (T5), and what the options rule out.
func (o *options) restrict(s *scenario.Swarm) {
	s.Rot, s.ReadFlips, s.LostDisks = 0, 0, 0
	if o.usualSizes {
		s.Sizes = scenario.Sizes{}
	}
	for fault, mean := range map[Fault]*time.Duration{
		Kill: &s.Kills, PowerLoss: &s.PowerLosses, SlowDisk: &s.SlowDisk,
		FullDisk: &s.FullDisk, DiskError: &s.DiskErrors, FailedSync: &s.FailedSyncs,
	} {
		if !o.allows(fault) {
			*mean = 0
		}
	}
	if !o.allows(RarePath) {
		s.ArmProbability = 0
	}
}

// goNative makes a world for half a second of real time.
func (o *options) goNative(s *scenario.Swarm) {
	*s = scenario.Swarm{Disk: s.Disk, Sizes: s.Sizes, Downtime: nativeDowntime}
	latency := disk.Latency{Min: nativeLatency, Mean: nativeLatency}
	s.Disk.Sync, s.Disk.Write, s.Disk.Read = latency, disk.Latency{}, disk.Latency{}
	s.Kills, s.PowerLosses = nativeDeath, nativeDeath
}
