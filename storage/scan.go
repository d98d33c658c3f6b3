package storage

import (
	"bytes"
	"context"

	"github.com/cockroachdb/pebble/v2"
	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage/internal/window"
)

const (
	// A scan looks at this many keys of the window in its first piece, and at
	// twice as many in each further one: most rows of a short scan come from
	// the engine, and what is gathered beyond its end is wasted.
	minScanPiece = 32
	maxScanPiece = 256
	// scanCheckRows is how often a scan looks whether its context ended.
	scanCheckRows = 1024
)

// visitor sees the rows of a scan in order and says whether it wants more.
// shared says that key and value may be kept (rule W1); else they are good
// only during the call.
type visitor func(key, value []byte, shared bool) (more bool)

// scan merges window and engine over a range at one version. It goes in
// pieces: the window's rows of a piece are gathered under the lock, then
// merged with an engine iterator that is at least as new as the gathering
// (S4). The iterator serves the next piece too unless the window was trimmed
// in between.
type scan struct {
	server  *Server
	version wire.Version
	// begin <= key < end is what is left of the range.
	begin, end []byte
	reverse    bool
	visit      visitor

	piece window.Piece
	// iter stands on the next engine row, or past the last one. engineKey and
	// engineOK are that row's.
	iter      *pebble.Iterator
	iterFloor wire.Version
	engineKey []byte
	engineOK  bool
	rows      int
	stopped   bool
}

// run visits the rows of the range until the visitor has enough. hint is how
// many rows it may want.
func (sc *scan) run(ctx context.Context, hint int) (err error) {
	defer func() {
		if closeErr := sc.closeIter(); err == nil {
			err = closeErr
		}
	}()
	limit := min(hint+1, minScanPiece)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if fault.Point("storage.scan.smallPiece") {
			limit = 1
		}
		sc.gather(limit)
		if err := sc.openIter(); err != nil {
			return err
		}
		if err := sc.merge(ctx); err != nil || sc.stopped || sc.piece.Bound == nil {
			return err
		}
		if sc.reverse {
			sc.end = sc.piece.Bound
		} else {
			sc.begin = sc.piece.Bound
		}
		limit = min(2*limit, maxScanPiece)
	}
}

func (sc *scan) gather(limit int) {
	sc.server.mu.RLock()
	defer sc.server.mu.RUnlock()
	sc.server.mu.win.Gather(sc.version, sc.begin, sc.end, sc.reverse, limit, &sc.piece)
}

// openIter provides an iterator that holds whatever the window had trimmed
// when the piece was gathered, and nothing above the scan's version.
func (sc *scan) openIter() error {
	if sc.iter != nil && sc.iterFloor == sc.piece.Floor {
		return nil
	}
	if err := sc.closeIter(); err != nil {
		return err
	}
	iter, err := sc.server.engine.db.NewIter(&pebble.IterOptions{
		LowerBound: appendDataKey(make([]byte, 0, len(sc.begin)+1), sc.begin),
		UpperBound: appendDataKey(make([]byte, 0, len(sc.end)+1), sc.end),
	})
	if err != nil {
		return sc.server.readFailed(ioError(sc.server.cfg.Dir, err))
	}
	sc.iter, sc.iterFloor = iter, sc.piece.Floor
	if err := sc.server.checkRead(sc.version); err != nil {
		return err
	}
	if sc.reverse {
		sc.at(iter.Last())
	} else {
		sc.at(iter.First())
	}
	return nil
}

func (sc *scan) closeIter() error {
	if sc.iter == nil {
		return nil
	}
	err := sc.iter.Close()
	sc.iter = nil
	if err != nil {
		return sc.server.readFailed(ioError(sc.server.cfg.Dir, err))
	}
	return nil
}

// at notes where the iterator stands after a move.
func (sc *scan) at(ok bool) {
	sc.engineOK = ok
	if ok {
		sc.engineKey = sc.iter.Key()[1:]
	}
}

func (sc *scan) next() {
	if sc.reverse {
		sc.at(sc.iter.Prev())
	} else {
		sc.at(sc.iter.Next())
	}
}

// merge visits the rows of the gathered piece.
func (sc *scan) merge(ctx context.Context) error {
	rows, masks := sc.piece.Rows, sc.piece.Masks
	for !sc.stopped {
		if sc.rows++; sc.rows%scanCheckRows == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		masks = sc.skipMasked(masks)
		inPiece := sc.engineOK && sc.coversEngineKey()
		if len(rows) == 0 {
			if !inPiece {
				break
			}
			if err := sc.visitEngineRow(); err != nil {
				return err
			}
			continue
		}
		order := -1
		if inPiece {
			order = sc.compare(rows[0].Key, sc.engineKey)
		}
		if order > 0 {
			if err := sc.visitEngineRow(); err != nil {
				return err
			}
			continue
		}
		if order == 0 {
			sc.next()
		}
		if rows[0].Value != nil {
			sc.stopped = !sc.visit(rows[0].Key, rows[0].Value, true)
		}
		rows = rows[1:]
	}
	if err := sc.iter.Error(); err != nil {
		return sc.server.readFailed(ioError(sc.server.cfg.Dir, err))
	}
	return nil
}

// compare orders keys in the direction of the scan.
func (sc *scan) compare(a, b []byte) int {
	if sc.reverse {
		return bytes.Compare(b, a)
	}
	return bytes.Compare(a, b)
}

// coversEngineKey reports whether the iterator's row lies in the piece.
func (sc *scan) coversEngineKey() bool {
	switch {
	case sc.piece.Bound == nil:
		return true
	case sc.reverse:
		return bytes.Compare(sc.engineKey, sc.piece.Bound) >= 0
	}
	return bytes.Compare(sc.engineKey, sc.piece.Bound) < 0
}

// skipMasked moves the iterator past cleared rows, and returns the masks that
// it has not passed.
func (sc *scan) skipMasked(masks []wire.KeyRange) []wire.KeyRange {
	for len(masks) > 0 && sc.engineOK {
		m := masks[0]
		switch {
		case m.Contains(sc.engineKey):
			sc.seekPast(m)
		case sc.reverse && bytes.Compare(sc.engineKey, m.Begin) < 0,
			!sc.reverse && bytes.Compare(sc.engineKey, m.End) >= 0:
		default:
			return masks
		}
		masks = masks[1:]
	}
	return masks
}

func (sc *scan) seekPast(m wire.KeyRange) {
	if sc.reverse {
		sc.at(sc.iter.SeekLT(appendDataKey(nil, m.Begin)))
	} else {
		sc.at(sc.iter.SeekGE(appendDataKey(nil, m.End)))
	}
}

func (sc *scan) visitEngineRow() error {
	value, err := sc.iter.ValueAndErr()
	if err != nil {
		return sc.server.readFailed(ioError(sc.server.cfg.Dir, err))
	}
	sc.stopped = !sc.visit(sc.engineKey, value, false)
	if !sc.stopped {
		sc.next()
	}
	return nil
}
