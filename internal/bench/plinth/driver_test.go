package plinth_test

import (
	"testing"

	"github.com/plinthdb/plinth/internal/bench/benchtest"
	"github.com/plinthdb/plinth/internal/bench/plinth"
)

func TestTheEmbeddedStoreDoesWhatTheWorkloadsNeed(t *testing.T) {
	benchtest.Run(t, plinth.Driver())
}
