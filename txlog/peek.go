package txlog

import (
	"context"
	"slices"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

const (
	// peekBatches is how many batches one answer holds at most.
	peekBatches = 512
	// defaultPeekBytes ends an answer where the request is silent.
	defaultPeekBytes = 8 << 20
)

// Peek returns what is addressed to the request's tag after a version, and
// waits while there is nothing new to say (L4). A storage server that asks
// again with the last Through gets the whole stream.
//
// It returns ErrFileCorrupt if the log does not keep that much any more,
// ErrDatabaseClosed after Close, and the context's cause if that ends first.
func (s *Server) Peek(ctx context.Context, req wire.PeekRequest) (wire.PeekReply, error) {
	for {
		batches, through, wait, err := s.look(req)
		if err != nil {
			return wire.PeekReply{}, err
		}
		if wait == nil {
			return s.fetch(req, batches, through)
		}
		select {
		case <-wait:
		case <-s.done:
			return wire.PeekReply{}, wire.ErrDatabaseClosed
		case <-ctx.Done():
			return wire.PeekReply{}, context.Cause(ctx)
		}
	}
}

// look says which batches to answer with, or what to wait for.
func (s *Server) look(req wire.PeekRequest) (batches []Batch, through wire.Version, wait chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return nil, 0, nil, wire.ErrDatabaseClosed
	}
	if popped, ok := s.mu.core.Popped(req.Tag); ok && req.After < popped {
		return nil, 0, nil, wire.ErrFileCorrupt.With(
			"storage server of tag %d stands at version %d, but said earlier that it had everything through %d on disk, and the log keeps only what follows",
			req.Tag, req.After, popped)
	}
	batches, through = s.mu.core.BatchesAfter(nil, req.Tag, req.After, peekBatches)
	if through > req.After {
		return batches, through, nil, nil
	}
	if s.mu.advanced == nil {
		s.mu.advanced = make(chan struct{})
	}
	return nil, 0, s.mu.advanced, nil
}

// fetch reads the batches from the Raft log.
func (s *Server) fetch(req wire.PeekRequest, batches []Batch, through wire.Version) (wire.PeekReply, error) {
	limit := req.LimitBytes
	if limit <= 0 {
		limit = defaultPeekBytes
	}
	if fault.Point("txlog.peek.oneBatch") {
		limit = 1
	}
	reply := wire.PeekReply{Through: through, Versions: make([]wire.TaggedVersion, 0, len(batches))}
	bytes := 0
	for _, b := range batches {
		data, err := s.group.Entry(b.Index)
		if err != nil {
			return wire.PeekReply{}, err
		}
		if len(reply.Versions) > 0 && bytes+len(data) > limit {
			reply.Through = reply.Versions[len(reply.Versions)-1].Version
			break
		}
		bytes += len(data)
		lists, err := listsFor(req.Tag, data)
		if err != nil {
			return wire.PeekReply{}, wire.ErrFileCorrupt.Because(err)
		}
		reply.Versions = append(reply.Versions, wire.TaggedVersion{Version: b.Version, Lists: lists})
	}
	return reply, nil
}

// listsFor returns the mutation lists that an append's entry holds for tag.
func listsFor(tag wire.Tag, data []byte) ([][]byte, error) {
	c, err := decodeCommand(data)
	if err != nil {
		return nil, err
	}
	var lists [][]byte
	runs := wire.ReadRuns(c.body)
	for {
		tags, list, ok, err := runs.Next()
		if err != nil || !ok {
			return lists, err
		}
		if slices.Contains(tags, tag) {
			lists = append(lists, list)
		}
	}
}
