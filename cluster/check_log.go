package cluster

import (
	"context"
	"fmt"

	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

// readLog hands all records of the log to record.
func (c *checker) readLog(ctx context.Context, record func(rec wal.Record, pos wal.Position) error) (wal.Verified, error) {
	return wal.Verify(wal.Options{
		FS: c.fs, Dir: c.fs.PathJoin(c.dir, logDir),
		Replay: func(rec wal.Record, pos wal.Position) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return record(rec, pos)
		},
	})
}

// replayLog returns a function that reads the log a second time, now that it is
// known which of its entries count.
func (c *checker) replayLog(ctx context.Context) func(engine wire.Version, apply func(wire.TaggedVersion) error) error {
	return func(engine wire.Version, apply func(wire.TaggedVersion) error) error {
		if f := c.fit(engine); f.err() != nil {
			return storage.ErrNoComparison
		}
		if !c.report.Log.Found {
			return nil
		}
		_, err := c.readLog(ctx, func(rec wal.Record, pos wal.Position) error {
			v, ok, err := c.content.Batch(localTag, rec, pos)
			if err != nil || !ok {
				return err
			}
			return apply(v)
		})
		return err
	}
}

// fit returns what is to be compared of a log that was read and an engine that
// stands at a version.
func (c *checker) fit(engine wire.Version) fit {
	log := &c.report.Log
	return fit{dir: c.dir, fs: c.fs, end: log.End, popped: log.Popped[localTag], engine: engine}
}

func (c *checker) addf(format string, args ...any) {
	c.report.Problems = append(c.report.Problems, Problem{Part: "versions", Text: fmt.Sprintf(format, args...)})
}
