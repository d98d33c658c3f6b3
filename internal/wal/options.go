package wal

import (
	"log/slog"
	"math"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// Options says where a log lives and how large its parts may grow.
type Options struct {
	// FS is the file system. Required.
	FS vfs.FS
	// Dir is the directory of the log's own; it is made if it does not exist.
	// Required. The caller makes sure that no other process has it open.
	Dir string
	// Replay, if given, is called by Open for each record kept, in the order in
	// which they were appended. The payload is lent: it is valid only during the
	// call. An error ends Open, which returns it.
	Replay func(Record, Position) error
	// OnFatal, if given, is called once, by the log's own goroutine, when the
	// log stops because the disk failed or is full. Everyone who waits has got
	// the error by then. A failure that only Close meets, when nobody can wait any
	// more, is what Close returns.
	OnFatal func(error)
	// Logger takes what an operator may want to know; nil is slog.Default.
	Logger *slog.Logger

	// SegmentBytes is the size at which a segment is full; 0 is 64 MiB. Only a
	// record that is larger than this makes a segment longer.
	SegmentBytes int64
	// GrowBytes is how far a new segment is filled with zeros ahead of its
	// records; 0 is 1 MiB, or a quarter of SegmentBytes if that is less.
	GrowBytes int64
	// QueueLimitBytes is how much may wait for the disk before Append blocks; 0
	// is 64 MiB.
	QueueLimitBytes int64
	// RecordLimitBytes is the longest payload that Append takes; 0 is 64 MiB.
	RecordLimitBytes int64
	// FreeSegments is how many dropped segments are kept to be written again; 0
	// is 4, a negative number none.
	FreeSegments int
}

// withDefaults returns the options with the defaults filled in, or
// wire.ErrInvalidOptionValue.
func (o Options) withDefaults() (Options, error) {
	if o.FS == nil || o.Dir == "" {
		return o, wire.ErrInvalidOptionValue.With("write-ahead log: FS and Dir are required")
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.SegmentBytes, 64<<20)
	def(&o.GrowBytes, min(1<<20, o.SegmentBytes/4))
	def(&o.QueueLimitBytes, 64<<20)
	def(&o.RecordLimitBytes, 64<<20)
	switch {
	case o.FreeSegments == 0:
		o.FreeSegments = 4
	case o.FreeSegments < 0:
		o.FreeSegments = 0
	}
	if o.SegmentBytes < 2*segmentHeaderBytes || o.GrowBytes < 0 || o.QueueLimitBytes < 0 || o.RecordLimitBytes < 0 {
		return o, wire.ErrInvalidOptionValue.With(
			"write-ahead log: SegmentBytes must be at least %d and no limit negative", 2*segmentHeaderBytes)
	}
	if o.SegmentBytes > math.MaxUint32/2 || o.RecordLimitBytes > math.MaxUint32/2-segmentHeaderBytes {
		return o, wire.ErrInvalidOptionValue.With(
			"write-ahead log: SegmentBytes and RecordLimitBytes must be less than 2 GiB")
	}
	return o, nil
}
