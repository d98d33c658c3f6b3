package storage

import (
	"bytes"

	"github.com/plinthdb/plinth/internal/wire"
)

// EstimateBytes returns about how many bytes the rows with begin <= key < end
// take, at no version in particular: those of the engine as compressed on disk,
// those of the window as they are. It is cheap and reads no row. What changed
// lately may count twice, or not at all while it is in the engine's memtables
// (Config.FlushInterval at most), and a small range counts as whole blocks: good
// for the progress of a scan, not for accounts.
//
// Errors: ErrInvertedRange, ErrDatabaseClosed, and the server's own if it
// failed.
func (s *Server) EstimateBytes(begin, end []byte) (int64, error) {
	switch order := bytes.Compare(begin, end); {
	case order > 0:
		return 0, wire.ErrInvertedRange.With("range begins at %.40q, after its end %.40q", begin, end)
	case order == 0:
		return 0, nil
	}
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.leave()
	onDisk, err := s.engine.db.EstimateDiskUsage(appendDataKey(nil, begin), appendDataKey(nil, end))
	if err != nil {
		return 0, s.readFailed(ioError(s.cfg.Dir, err))
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return int64(onDisk) + s.mu.win.EstimateBytes(begin, end), nil
}
