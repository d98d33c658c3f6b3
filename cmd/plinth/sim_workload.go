package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plinthdb/plinth/internal/sim/scenario"
	"github.com/plinthdb/plinth/internal/sim/workload"
)

// workloadNames is the value of --workload: names, separated by commas. It is
// verified before minutes go into compiling a program that does not know them.
type workloadNames string

// String implements pflag.Value.
func (n *workloadNames) String() string { return string(*n) }

// Type implements pflag.Value.
func (*workloadNames) Type() string { return "names" }

// Set implements pflag.Value.
func (n *workloadNames) Set(value string) error {
	var names []string
	alone := ""
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		switch {
		case slices.Contains(names, name):
			return fmt.Errorf("%s is there twice", name)
		case slices.Contains(scenarios(), name), workload.Alone(name):
			alone = name
		case !slices.Contains(workload.Names(), name):
			return fmt.Errorf("there is no workload %q; there are %s, and by itself one of %s",
				name, strings.Join(workload.Names(), ", "), strings.Join(scenarios(), ", "))
		}
		names = append(names, name)
	}
	if alone != "" && len(names) > 1 {
		return fmt.Errorf("%s does not go together with others: it runs by itself only", alone)
	}
	*n = workloadNames(strings.Join(names, ","))
	return nil
}

// scenarios are the names that stand for something else than workloads on a
// store.
func scenarios() []string {
	return []string{scenario.EchoName, scenario.IdleName, scenario.PebbleName}
}
