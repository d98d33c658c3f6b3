package shell

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
)

// completionTimeout bounds how long a person waits for the names of
// directories.
const completionTimeout = 500 * time.Millisecond

// dirWords offers the commands below dir, and then paths.
func dirWords(s *Session, args []string, word string) []string {
	if len(args) == 0 {
		return slices.Sorted(maps.Keys(dirCommands()))
	}
	return s.pathWords(word)
}

// pathWords offers the directories beside the one whose name was begun. That
// they cannot be read is no reason to disturb a person who is typing.
func (s *Session) pathWords(word string) []string {
	parent := word[:strings.LastIndexByte(word, '/')+1]
	commands, err := Parse("dir " + parent)
	if err != nil || len(commands) != 1 {
		return nil
	}
	var path []string
	if len(commands[0]) > 1 {
		path = pathOf(commands[0][1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
	defer cancel()
	names, err := kv.ReadTransact(ctx, s.db, func(r kv.Reader) ([]string, error) { return directory.Root().List(r, path) })
	if err != nil {
		return nil
	}
	var words []string
	for _, name := range names {
		words = append(words, parent+Quote([][]byte{[]byte(pathText([]string{name}))})+"/")
	}
	return words
}
