package network

import (
	"math"
	"math/rand/v2"
	"time"
)

// Latency is how long a message takes: Min, plus an exponentially distributed
// time that is Mean on average and latencyTail times that at most.
type Latency struct {
	Min, Mean time.Duration
}

// latencyTail bounds the exponential part, so that N3 has a bound.
const latencyTail = 10

func (l Latency) draw(rng *rand.Rand) time.Duration {
	if l.Mean <= 0 {
		return l.Min
	}
	return l.Min + time.Duration(min(rng.ExpFloat64(), latencyTail)*float64(l.Mean))
}

func (l Latency) max() time.Duration { return l.Min + latencyTail*l.Mean }

// LinkConfig is what one link is like.
type LinkConfig struct {
	Latency Latency
	// BytesPerSecond is shared by all connections; 0 is no limit.
	BytesPerSecond int64
}

// Config is what a network is like on a good day. A field that is zero gets
// the default that its comment names, unless it says otherwise.
type Config struct {
	// LatencyLow and LatencyHigh bound the typical latency of a link, which
	// each link draws for itself. Zero is none.
	LatencyLow, LatencyHigh time.Duration
	// BytesPerSecondLow and BytesPerSecondHigh bound a link's bandwidth. Zero
	// is no limit.
	BytesPerSecondLow, BytesPerSecondHigh int64
	// SegmentBytes is the most that one message carries (16 KiB).
	SegmentBytes int
	// SendBufferBytes and ReceiveBufferBytes bound what a connection keeps on
	// either side (64 KiB each).
	SendBufferBytes, ReceiveBufferBytes int
	// Backlog bounds the connections of a listener that nobody has accepted
	// yet (128); further ones are not answered.
	Backlog int
	// MaxConns bounds the ends of connections in the whole network (10,000).
	MaxConns int
	// DialRetry is the time until the first repetition of an unanswered
	// dialling (1 s), which doubles each time; DialLimit is when Dial gives up
	// (30 s).
	DialRetry, DialLimit time.Duration
	// KeepAlive is how long a connection may be quiet before the other side is
	// probed. Zero is never: a reader can then wait for ever for a peer that
	// has vanished.
	KeepAlive time.Duration
	// ProbeInterval is the time between two probes (1 s). DeadAfter is how
	// long a side may leave data or probes unanswered before the connection
	// counts as broken (20 s), and how long a closed connection may linger.
	ProbeInterval, DeadAfter time.Duration
	// RetransmitMax bounds the time from the end of a partition to the next
	// attempt to send what it held up (1 s).
	RetransmitMax time.Duration
}

// Draw draws a network, extreme ones as often as average ones.
func Draw(rng *rand.Rand) Config {
	latency := logarithmic(rng, 20*time.Microsecond, 50*time.Millisecond)
	c := Config{
		LatencyLow:         latency / 3,
		LatencyHigh:        latency * 3,
		SegmentBytes:       logarithmic(rng, 400, 64<<10),
		SendBufferBytes:    logarithmic(rng, 1<<10, 256<<10),
		ReceiveBufferBytes: logarithmic(rng, 1<<10, 256<<10),
		Backlog:            logarithmic(rng, 1, 128),
		DialRetry:          logarithmic(rng, 100*time.Millisecond, time.Second),
		DialLimit:          logarithmic(rng, time.Second, 30*time.Second),
		ProbeInterval:      logarithmic(rng, 200*time.Millisecond, time.Second),
		DeadAfter:          logarithmic(rng, 3*time.Second, 20*time.Second),
		RetransmitMax:      logarithmic(rng, 10*time.Millisecond, time.Second),
	}
	if rng.IntN(2) == 0 {
		rate := logarithmic[int64](rng, 1<<20, 100<<20)
		c.BytesPerSecondLow, c.BytesPerSecondHigh = rate/3, rate*3
	}
	if rng.IntN(2) == 0 {
		c.KeepAlive = logarithmic(rng, time.Second, 15*time.Second)
	}
	return c
}

func (c *Config) setDefaults() {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&c.SegmentBytes, 16 << 10}, {&c.SendBufferBytes, 64 << 10}, {&c.ReceiveBufferBytes, 64 << 10},
		{&c.Backlog, 128}, {&c.MaxConns, 10_000},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.DialRetry, time.Second}, {&c.DialLimit, 30 * time.Second}, {&c.ProbeInterval, time.Second},
		{&c.DeadAfter, 20 * time.Second}, {&c.RetransmitMax, time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
}

// drawLink draws what one link is like.
func (c *Config) drawLink(rng *rand.Rand) LinkConfig {
	typical := logarithmic(rng, c.LatencyLow, c.LatencyHigh)
	return LinkConfig{
		Latency:        Latency{Min: typical / 2, Mean: typical / 2},
		BytesPerSecond: logarithmic(rng, c.BytesPerSecondLow, c.BytesPerSecondHigh),
	}
}

// logarithmic draws from low to high so that every order of magnitude is
// equally likely; low if that is zero or there is no range.
func logarithmic[T ~int | ~int64](rng *rand.Rand, low, high T) T {
	if low <= 0 || high <= low {
		return max(low, 0)
	}
	return T(float64(low) * math.Exp(rng.Float64()*math.Log(float64(high)/float64(low))))
}
