package cluster

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/sequencer"
	"github.com/plinthdb/plinth/storage"
	"github.com/plinthdb/plinth/txn"
)

// maxLag is maxLagVersions as time: a version is a microsecond.
const maxLag = time.Duration(maxLagVersions) * time.Second / time.Duration(wire.VersionsPerSecond)

// load measures how full a store is, for the read-version proxy. It is the
// fullest of
//
//   - how long the storage server has been behind the commits, of maxLag
//   - what its window holds, of twice the window's limit: there it takes nothing
//     more from the log
//   - what the commit proxy holds, of its limit.
type load struct {
	sequencer *sequencer.Sequencer
	storage   *storage.Server
	commits   *txn.CommitProxy
	begun     time.Time

	// probing says that mu.lag has something to forget.
	probing atomic.Bool
	mu      struct {
		sync.Mutex
		lag lag
	}
}

// LoadThousandths implements txn.Load with a few atomic reads, unless the
// storage server is behind.
func (l *load) LoadThousandths() int {
	return max(l.lagThousandths(), notable(l.window()), notable(l.commits.Pending()))
}

// notable is thousandths from an eighth of the limit on; below that it is 0 and
// costs no division.
func notable(used, limit int64) int {
	if used < limit>>3 {
		return 0
	}
	return thousandths(used, limit)
}

// limitedBy returns what the load comes from, if it is half the limit or more.
func (l *load) limitedBy() wire.LimitedBy {
	by, most := wire.LimitedByWorkload, wire.BatchLoad-1
	for _, part := range []struct {
		by   wire.LimitedBy
		load int
	}{
		{wire.LimitedByLag, l.lagThousandths()},
		{wire.LimitedByWindow, thousandths(l.window())},
		{wire.LimitedByCommits, thousandths(l.commits.Pending())},
	} {
		if part.load > most {
			by, most = part.by, part.load
		}
	}
	return by
}

func (l *load) window() (bytes, limitBytes int64) {
	bytes, limitBytes = l.storage.Window()
	return bytes, 2 * limitBytes
}

// thousandths is how much of a limit is used, up to ten times the limit.
func thousandths(used, limit int64) int {
	return int(10 * wire.FullLoad * min(float64(used)/(10*float64(max(limit, 1))), 1))
}

func (l *load) lagThousandths() int {
	committed, applied := l.sequencer.Committed(), l.storage.Version()
	if committed-applied < minLagVersions && !l.probing.Load() {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	behind := l.mu.lag.observe(time.Since(l.begun), committed, applied)
	l.probing.Store(l.mu.lag.probing)
	return thousandths(int64(behind), int64(maxLag))
}

// readTagThrottles reads the limits on tags as they are at first, which the
// storage server has. A thousand rows are far more than the client writes.
func (l *Local) readTagThrottles(ctx context.Context, first wire.Version, system *txn.SystemKeys) error {
	r := wire.TagThrottles()
	reply, err := l.storage.GetRange(ctx, &wire.GetRangeRequest{Version: first, Begin: r.Begin, End: r.End, LimitRows: maxTagThrottleRows})
	if err != nil {
		return err
	}
	if reply.More {
		l.config.Logger.Warn("there are too many limits on tags: those behind the last one that was read are not obeyed", "last", string(reply.Rows[len(reply.Rows)-1].Key))
	}
	for _, row := range reply.Rows {
		if _, err := wire.ParseTagThrottle(row); err != nil {
			l.config.Logger.Warn("a row among the limits on tags limits nothing; there may be more", "error", err)
			break
		}
	}
	system.SetTagThrottles(reply.Rows)
	return nil
}

const maxTagThrottleRows = 1000

// minLagVersions is how far in versions a storage server must be behind for its
// lag to be looked at.
const minLagVersions = maxLagVersions / 2

// lag measures for how long a storage server has been behind. Versions alone do
// not tell: the first commit after a quiet second is a million versions ahead of
// the storage server, which has it a moment later. So lag notes the newest
// commit, and how long it takes until that is there.
type lag struct {
	// probing says that the storage server is behind; the rest means nothing
	// otherwise.
	probing bool
	// target was the newest commit at since, and had not arrived at seen.
	target      wire.Version
	since, seen time.Duration
	// last is how long the target before took.
	last time.Duration
}

// observe returns for how long the storage server has been behind, at the time
// now since some fixed moment.
func (l *lag) observe(now time.Duration, committed, applied wire.Version) time.Duration {
	switch {
	case committed-applied < minLagVersions:
		*l = lag{}
		return 0
	case !l.probing:
		*l = lag{probing: true, target: committed, since: now, seen: now}
	case applied >= l.target:
		// When it arrived is not known, only that it had not when it was last
		// looked for.
		*l = lag{probing: true, target: committed, since: now, seen: now, last: l.seen - l.since}
	default:
		l.seen = now
	}
	return max(l.seen-l.since, l.last)
}
