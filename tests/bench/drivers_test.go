package main

import (
	"testing"

	"github.com/plinthdb/plinth/internal/bench/benchtest"
)

func TestEveryDriverDoesWhatTheWorkloadsNeed(t *testing.T) {
	for _, d := range drivers() {
		t.Run(d.Name, func(t *testing.T) { benchtest.Run(t, d) })
	}
}
