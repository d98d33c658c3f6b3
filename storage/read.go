package storage

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage/internal/window"
)

// maxFaultDelay is how long a fired fault site lets a read wait.
const maxFaultDelay = 50 * time.Millisecond

// GetValues returns the values of the request's keys at its version.
//
// Errors: ErrTransactionTooOld, ErrFutureVersion, ErrProcessBehind,
// ErrDatabaseClosed, the context's, and the server's own if it failed.
func (s *Server) GetValues(ctx context.Context, req *wire.GetValuesRequest) (wire.GetValuesReply, error) {
	if err := s.await(ctx, req.Version); err != nil {
		return wire.GetValuesReply{}, err
	}
	if err := s.enter(); err != nil {
		return wire.GetValuesReply{}, err
	}
	defer s.leave()
	s.counters.gets.Add(uint64(len(req.Keys)))
	values := make([][]byte, len(req.Keys))
	states := make([]window.State, len(req.Keys))
	missing := s.lookup(req, values, states)
	if fault.Point("storage.read.late") {
		time.Sleep(rand.N(maxFaultDelay)) // the engine may advance meanwhile, a watched key be written
	}
	if missing > 0 {
		if err := s.getMissing(ctx, req, values, states); err != nil {
			return wire.GetValuesReply{}, err
		}
	}
	if err := s.checkRead(req.Version); err != nil {
		return wire.GetValuesReply{}, err
	}
	size := 0
	for _, value := range values {
		size += len(value)
	}
	s.counters.answered(size)
	return wire.GetValuesReply{Values: values}, nil
}

// lookup answers what the window knows and returns how many keys are left.
func (s *Server) lookup(req *wire.GetValuesRequest, values [][]byte, states []window.State) (missing int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.mu.win.Empty() {
		return len(req.Keys)
	}
	for i, key := range req.Keys {
		values[i], states[i] = s.mu.win.Lookup(key, req.Version)
		if states[i] == window.Unknown {
			missing++
		}
	}
	return missing
}

// getMissing reads from the engine what the window does not know. The values
// share one buffer, or a few if it has to grow.
func (s *Server) getMissing(ctx context.Context, req *wire.GetValuesRequest, values [][]byte, states []window.State) error {
	var buf arena
	var keyBuf []byte
	for i, key := range req.Keys {
		if states[i] != window.Unknown {
			continue
		}
		if i&63 == 63 && ctx.Err() != nil {
			return ctx.Err()
		}
		var err error
		if values[i], keyBuf, err = s.engine.getInto(key, &buf, keyBuf); err != nil {
			return s.readFailed(err)
		}
	}
	return nil
}

// checkRead is the last step of a read (S4).
func (s *Server) checkRead(version wire.Version) error {
	if err := s.Err(); err != nil {
		return err
	}
	if s.advancing.load() > version {
		return wire.ErrTransactionTooOld
	}
	return nil
}

// readFailed ends the server when the engine cannot read: its next answers
// cannot be trusted either.
func (s *Server) readFailed(err error) error {
	s.fail(err)
	return s.Err()
}
