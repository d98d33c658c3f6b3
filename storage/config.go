package storage

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
)

// Log is the stream of mutations that the server follows.
type Log interface {
	// Peek returns what is addressed to the tag after a version. It blocks
	// until there is something to say.
	Peek(ctx context.Context, req wire.PeekRequest) (wire.PeekReply, error)
	// Pop says that all versions up to upTo are safe on this server's disk.
	Pop(ctx context.Context, tag wire.Tag, upTo wire.Version) error
}

// Config says where a server keeps its data, what it follows and how much
// memory it may use. The zero value of every limit means its default.
type Config struct {
	// FS and Dir are the place of the engine. Dir is created if need be and
	// belongs to this server alone.
	FS  vfs.FS
	Dir string
	// Tag is the stream of Log that holds the server's mutations.
	Tag wire.Tag
	Log Log

	// CacheBytes is the size of the engine's block cache, memtables apart.
	// Default 64 MiB.
	CacheBytes int64
	// WindowBytes is how much the window may hold before it is moved to the
	// engine ahead of its age, which makes old reads fail sooner. Default 256
	// MiB.
	WindowBytes int
	// WindowVersions is how far back reads reach. Default
	// wire.WindowVersions.
	WindowVersions wire.Version
	// IdleAfter is how long nothing may be committed until the whole window
	// moves to the engine: long enough for every transaction that read it to
	// be too old to commit. Default 5 s.
	IdleAfter time.Duration
	// StepVersions is how many versions move to the engine in one batch.
	// Default 500,000, half a second.
	StepVersions wire.Version
	// MemTableBytes is the size of an engine memtable; up to four exist. A
	// step of more than half of it skips the memtable and is flushed as it is,
	// sorted, which is the cheapest way to the disk. Default 16 MiB.
	MemTableBytes int
	// FlushInterval is how long data may stay unflushed, and thus unpopped.
	// Default 10 s. A server that was just opened flushes sooner, so that lives
	// which end early leave the log no longer than they found it.
	FlushInterval time.Duration
	// PeekBytes limits one reply of the log. Default 4 MiB, at most a quarter
	// of WindowBytes.
	PeekBytes int

	// ReadWait is how long a read waits for its version before it gets
	// wire.ErrFutureVersion. Default 1 s.
	ReadWait time.Duration
	// MaxWaitingReads bounds the reads that wait for their version; beyond it
	// they get wire.ErrProcessBehind. Default 100,000.
	MaxWaitingReads int
	// MaxWatches bounds the watches; beyond it they get
	// wire.ErrTooManyWatches. Default 100,000.
	MaxWatches int
	// MaxRangeBytes ends every range reply, whatever limit the request has.
	// Default 8 MiB.
	MaxRangeBytes int

	// Logger gets the engine's remarks. Default: none.
	Logger *slog.Logger
	// OnFatal is called once with the error that ended the server's work: a
	// full disk, a corrupt file. It is called from a goroutine that Close
	// waits for, so it must neither block nor call Close.
	OnFatal func(error)
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	// Twice a limit that means "none" must still be a number.
	c.CacheBytes = min(cmp.Or(c.CacheBytes, 64<<20), math.MaxInt64/4)
	c.WindowBytes = min(cmp.Or(c.WindowBytes, 256<<20), math.MaxInt/4)
	c.WindowVersions = cmp.Or(c.WindowVersions, wire.WindowVersions)
	c.IdleAfter = cmp.Or(c.IdleAfter, 5*time.Second)
	c.StepVersions = cmp.Or(c.StepVersions, 500_000)
	c.MemTableBytes = cmp.Or(c.MemTableBytes, 16<<20)
	c.FlushInterval = cmp.Or(c.FlushInterval, 10*time.Second)
	c.PeekBytes = cmp.Or(c.PeekBytes, max(1, min(4<<20, c.WindowBytes/4)))
	c.ReadWait = cmp.Or(c.ReadWait, time.Second)
	c.MaxWaitingReads = cmp.Or(c.MaxWaitingReads, 100_000)
	c.MaxWatches = cmp.Or(c.MaxWatches, 100_000)
	c.MaxRangeBytes = cmp.Or(c.MaxRangeBytes, 8<<20)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnFatal == nil {
		c.OnFatal = func(error) {}
	}
	return c
}
