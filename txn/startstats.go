package txn

import (
	"errors"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// ReadVersionStats says what a read-version proxy has done since it began.
type ReadVersionStats struct {
	// StartsImmediate, StartsDefault and StartsBatch count the requests that
	// went on, by priority.
	StartsImmediate uint64 `json:"starts_immediate"`
	StartsDefault   uint64 `json:"starts_default"`
	StartsBatch     uint64 `json:"starts_batch"`
	// Held counts the requests that were held back for a while, Holding those
	// that are now.
	Held    uint64 `json:"held"`
	Holding int    `json:"holding"`
	// RefusedBatch, RefusedTag and RefusedFull count those that were refused:
	// for their batch priority, for a tag, and because too many were waiting.
	RefusedBatch uint64 `json:"refused_batch"`
	RefusedTag   uint64 `json:"refused_tag"`
	RefusedFull  uint64 `json:"refused_full"`
	// LoadThousandths is how full the store is, see Load.
	LoadThousandths int `json:"load_thousandths"`
	// Tags are the busiest tags, the busiest first, ThrottledTags the limits on
	// tags that hold.
	Tags          []TagStarts `json:"tags,omitempty"`
	ThrottledTags int         `json:"throttled_tags"`
}

// TagStarts says how many requests with a tag went on: Starts, too many by Over
// at most.
type TagStarts struct {
	Tag    string `json:"tag"`
	Starts uint64 `json:"starts"`
	Over   uint64 `json:"over"`
}

// shownTags is how many of the busiest tags are in the stats.
const shownTags = 10

// started counts a request that goes on.
func (s *ReadVersionStats) started(priority wire.Priority) {
	switch priority {
	case wire.PriorityImmediate:
		s.StartsImmediate++
	case wire.PriorityBatch:
		s.StartsBatch++
	default:
		s.StartsDefault++
	}
}

// refused counts a request that was refused with err.
func (s *ReadVersionStats) refused(err error) {
	switch {
	case errors.Is(err, wire.ErrBatchThrottled):
		s.RefusedBatch++
	case errors.Is(err, wire.ErrTagThrottled):
		s.RefusedTag++
	case errors.Is(err, wire.ErrGRVProxyMemoryLimit):
		s.RefusedFull++
	}
}

// Stats returns the proxy's figures of this moment.
func (p *ReadVersionProxy) Stats() ReadVersionStats {
	load := p.load()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.mu.stats
	s.Holding, s.LoadThousandths = p.mu.gate.Held(), load
	for _, c := range p.mu.gate.Busiest(shownTags) {
		s.Tags = append(s.Tags, TagStarts(c))
	}
	if throttles := p.config.SystemKeys.TagThrottles(); throttles != nil {
		for _, t := range *throttles {
			if t.Until.IsZero() || time.Until(t.Until) > 0 {
				s.ThrottledTags++
			}
		}
	}
	return s
}
