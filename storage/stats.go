package storage

import (
	"sync/atomic"

	"github.com/plinthdb/plinth/internal/wire"
)

// counters only grow.
type counters struct {
	mutations, gets, rows, steps, peekErrors, stalls atomic.Uint64
	requests, readBytes, writtenBytes                atomic.Uint64
}

// Stats says what the server holds and does, for rate keeping and for people.
type Stats struct {
	// Version can be read, OldestReadable is the oldest that can, Durable is
	// on disk and Popped reported to the log.
	Version        wire.Version `json:"version"`
	OldestReadable wire.Version `json:"oldest_readable"`
	Durable        wire.Version `json:"durable"`
	Popped         wire.Version `json:"popped"`
	// WindowBytes is what the window holds, WindowLimitBytes what it should at
	// most, WindowKeys the keys in it.
	WindowBytes      int `json:"window_bytes"`
	WindowLimitBytes int `json:"window_limit_bytes"`
	WindowKeys       int `json:"window_keys"`
	// MemTableBytes is what the engine holds unflushed.
	MemTableBytes uint64 `json:"memtable_bytes"`
	// DiskBytes is the size of the engine's files.
	DiskBytes uint64 `json:"disk_bytes"`
	// WaitingReads wait for their version, Watches are armed.
	WaitingReads int `json:"waiting_reads"`
	Watches      int `json:"watches"`
	// What was done since Open: mutations applied, keys looked up, rows sent,
	// steps moved to the engine, peeks that failed, and times that a step waited
	// for flushes or compactions.
	Mutations  uint64 `json:"mutations"`
	Gets       uint64 `json:"gets"`
	Rows       uint64 `json:"rows"`
	Steps      uint64 `json:"steps"`
	PeekErrors uint64 `json:"peek_errors"`
	Stalls     uint64 `json:"stalls"`
	// Requests are the reads answered: for values, a range, a selector's key.
	// ReadBytes are the values sent, and the keys of rows and selectors;
	// WrittenBytes the parameters of the mutations applied.
	Requests     uint64 `json:"requests"`
	ReadBytes    uint64 `json:"read_bytes"`
	WrittenBytes uint64 `json:"written_bytes"`
	// CacheHits and CacheMisses count looks into the engine's block cache.
	CacheHits   int64 `json:"cache_hits"`
	CacheMisses int64 `json:"cache_misses"`
}

// answered counts a read that is answered with so many bytes.
func (c *counters) answered(bytes int) {
	c.requests.Add(1)
	c.readBytes.Add(uint64(bytes))
}

// Stats returns the server's figures of this moment; the zero value once it is
// closed or failed.
func (s *Server) Stats() Stats {
	if s.enter() != nil {
		return Stats{}
	}
	defer s.leave()
	m := s.engine.db.Metrics()
	st := Stats{
		Version:          s.applied.load(),
		OldestReadable:   s.advancing.load(),
		Durable:          s.durable.load(),
		Popped:           s.popped.load(),
		WindowLimitBytes: s.cfg.WindowBytes,
		MemTableBytes:    m.MemTable.Size,
		DiskBytes:        m.DiskSpaceUsage(),
		WaitingReads:     s.waiting.len(),
		Watches:          s.watches.len(),
		Mutations:        s.counters.mutations.Load(),
		Gets:             s.counters.gets.Load(),
		Rows:             s.counters.rows.Load(),
		Steps:            s.counters.steps.Load(),
		PeekErrors:       s.counters.peekErrors.Load(),
		Stalls:           s.counters.stalls.Load(),
		Requests:         s.counters.requests.Load(),
		ReadBytes:        s.counters.readBytes.Load(),
		WrittenBytes:     s.counters.writtenBytes.Load(),
		CacheHits:        m.BlockCache.Hits,
		CacheMisses:      m.BlockCache.Misses,
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	st.WindowBytes, st.WindowKeys = s.mu.win.Bytes(), s.mu.win.Len()
	return st
}
