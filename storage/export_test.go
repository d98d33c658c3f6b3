package storage

import "context"

// CompactForTest brings everything in the engine to its bottom level.
func (s *Server) CompactForTest() error {
	if err := s.engine.db.Flush(); err != nil {
		return err
	}
	return s.engine.db.Compact(context.Background(), []byte{metaPrefix}, []byte{dataPrefix + 1}, false)
}

// IOError is ioError.
func IOError(dir string, err error) error { return ioError(dir, err) }
