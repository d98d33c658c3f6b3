package fdb

import "testing"

// A program that looked at one version kept its store busy for ever.
func TestTheClockStopsWhenNobodyLooks(t *testing.T) {
	var c clock
	if !c.look() || c.look() {
		t.Fatal("one caller has to tick")
	}
	for range clockPatience {
		if !c.tick() {
			t.Fatal("stopped too soon")
		}
	}
	c.look()
	for range clockPatience {
		if !c.tick() {
			t.Fatal("stopped too soon after a second look")
		}
	}
	if c.tick() {
		t.Fatal("goes on for ever")
	}
	if !c.look() {
		t.Fatal("does not begin again")
	}
}
