package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// directory is the value of a flag that names a directory. It refuses the
// empty name that an unset variable in a script leaves.
type directory string

// addDirectory adds a flag that names a directory. An empty value is what the
// flag has unless it is given.
func addDirectory(cmd *cobra.Command, p *string, name, short, value, usage string) {
	*p = value
	cmd.Flags().VarP((*directory)(p), name, short, usage)
	if err := cmd.MarkFlagDirname(name); err != nil {
		panic(err) // The flag was added in the line above.
	}
}

// String returns the name.
func (d *directory) String() string { return string(*d) }

// Type names the kind of value in the help text.
func (d *directory) Type() string { return "directory" }

// Set accepts any name but the empty one.
func (d *directory) Set(name string) error {
	if name == "" {
		return errors.New("the name is empty; give the name of a directory")
	}
	*d = directory(name)
	return nil
}

// completeFlag lets the shell complete the values of a flag.
func completeFlag(cmd *cobra.Command, name string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // There is no such flag, or it has values already.
	}
}

// completeNothing keeps the shell from offering files as the values of flags
// that are no files.
func completeNothing(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		completeFlag(cmd, name)
	}
}

// oneArgument demands exactly one argument that is not empty: name is how the
// usage line calls it, what says what it is.
func oneArgument(name, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) != 1:
			return fmt.Errorf("%d arguments given; give one, %s: %s", len(args), name, what)
		case args[0] == "":
			return fmt.Errorf("%s is empty; give %s", name, what)
		}
		return nil
	}
}
