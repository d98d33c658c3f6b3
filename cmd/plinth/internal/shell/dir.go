package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/directory"
	"github.com/plinthdb/plinth/kv/tuple"
)

const dirHelp = `dir ls [PATH] prints the names of the directories in PATH, or of those at the top.

dir mkdir PATH [LAYER] creates a directory, with those that are missing on the way. LAYER says what its content is; partition is a special one.

dir mv OLDPATH NEWPATH moves a directory. Its keys stay where they are.

dir rm [-r] PATH removes a directory. Without -r it must be empty; with it all that is in it is removed, keys and directories.

dir info PATH prints the prefix of a directory's keys, and its layer. dir exists PATH says whether there is one.

The names in a path are separated by slashes; in a name ~1 is a slash and ~0 a tilde. The directories are those of FoundationDB's directory layer.`

// dirCommands are the commands below dir.
func dirCommands() map[string]func(s *Session, ctx context.Context, args [][]byte) (reply, error) {
	return map[string]func(s *Session, ctx context.Context, args [][]byte) (reply, error){
		"ls":     (*Session).dirList,
		"mkdir":  (*Session).dirCreate,
		"mv":     (*Session).dirMove,
		"rm":     (*Session).dirRemove,
		"info":   (*Session).dirInfo,
		"exists": (*Session).dirExists,
	}
}

func (s *Session) dir(ctx context.Context, args [][]byte) (reply, error) {
	run, ok := dirCommands()[string(args[0])]
	if !ok {
		return reply{}, usageOf("dir")
	}
	return run(s, ctx, args[1:])
}

// pathOf reads a path: names between slashes. As in a JSON pointer (RFC 6901) ~1
// is a slash in a name and ~0 a tilde. A slash at each end is left out.
func pathOf(text []byte) []string {
	trimmed := strings.TrimSuffix(strings.TrimPrefix(string(text), "/"), "/")
	if trimmed == "" {
		return nil
	}
	path := strings.Split(trimmed, "/")
	for i, name := range path {
		path[i] = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
	}
	return path
}

// pathText is how a path is entered and printed.
func pathText(path []string) string {
	var names []string
	for _, name := range path {
		names = append(names, strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"))
	}
	return strings.Join(names, "/")
}

func (s *Session) dirList(ctx context.Context, args [][]byte) (reply, error) {
	if len(args) > 1 {
		return reply{}, usageOf("dir")
	}
	var path []string
	if len(args) == 1 {
		path = pathOf(args[0])
	}
	names, err := read(ctx, s, func(r kv.Reader) ([]string, error) { return directory.Root().List(r, path) })
	if err != nil {
		return reply{}, err
	}
	list := []fields{}
	text := ""
	for _, name := range names {
		list = append(list, fields{{"name", []byte(name)}})
		text += printable(pathText([]string{name})) + "\n"
	}
	return reply{text, fields{{"directories", list}}}, nil
}

func (s *Session) dirCreate(ctx context.Context, args [][]byte) (reply, error) {
	if len(args) < 1 || len(args) > 2 {
		return reply{}, usageOf("dir")
	}
	var layer []byte
	if len(args) == 2 {
		layer = args[1]
	}
	return s.writeDir(ctx, "Created", func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
		return directory.Root().Create(tx, pathOf(args[0]), layer)
	})
}

func (s *Session) dirMove(ctx context.Context, args [][]byte) (reply, error) {
	if len(args) != 2 {
		return reply{}, usageOf("dir")
	}
	return s.writeDir(ctx, "Moved to", func(tx *kv.Transaction) (*directory.DirectorySubspace, error) {
		return directory.Root().Move(tx, pathOf(args[0]), pathOf(args[1]))
	})
}

// writeDir is write of what makes or changes a directory, and tells which.
func (s *Session) writeDir(ctx context.Context, done string, f func(*kv.Transaction) (*directory.DirectorySubspace, error)) (reply, error) {
	var d *directory.DirectorySubspace
	r, err := s.write(ctx, func(tx *kv.Transaction) (err error) {
		d, err = f(tx)
		return err
	})
	if err != nil {
		return reply{}, err
	}
	r.text = fmt.Sprintf("%s `%s'\n%s", done, printable(pathText(d.Path())), r.text)
	if result, ok := r.result.(fields); ok {
		r.result = append(dirFields(d), result...)
	}
	return r, nil
}

// dirFields describes a directory to scripts.
func dirFields(d *directory.DirectorySubspace) fields {
	all := fields{{"path", []byte(pathText(d.Path()))}, {"layer", d.Layer()}}
	if prefix, err := d.Subspace(); err == nil { // It is no partition.
		all = append(all, field{"prefix", prefix.Bytes()})
	}
	return all
}

func (s *Session) dirRemove(ctx context.Context, args [][]byte) (reply, error) {
	all := len(args) == 2 && string(args[0]) == "-r"
	if len(args) != 1 && !all {
		return reply{}, usageOf("dir")
	}
	path := pathOf(args[len(args)-1])
	return s.write(ctx, func(tx *kv.Transaction) error {
		if !all {
			if err := checkEmpty(tx, path); err != nil {
				return err
			}
		}
		return directory.Root().Remove(tx, path)
	})
}

// checkEmpty refuses directories that hold keys or directories.
func checkEmpty(tx *kv.Transaction, path []string) error {
	d, err := directory.Root().Open(tx, path, nil)
	if err != nil {
		return err
	}
	names, err := d.List(tx, nil)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return &misuse{fmt.Sprintf("there are directories in `%s': remove them too with dir rm -r", printable(pathText(path)))}
	}
	content, err := d.Subspace()
	if errors.Is(err, directory.ErrPartitionRoot) {
		return nil
	}
	rows, err := tx.Range(kv.PrefixRange(content.Bytes()), kv.RangeOptions{Limit: 1}).Slice()
	if err == nil && len(rows) > 0 {
		err = &misuse{fmt.Sprintf("there are keys in `%s': remove them too with dir rm -r", printable(pathText(path)))}
	}
	return err
}

func (s *Session) dirInfo(ctx context.Context, args [][]byte) (reply, error) {
	if len(args) != 1 {
		return reply{}, usageOf("dir")
	}
	d, err := read(ctx, s, func(r kv.Reader) (*directory.DirectorySubspace, error) {
		return directory.Root().Open(r, pathOf(args[0]), nil)
	})
	if err != nil {
		return reply{}, err
	}
	text := fmt.Sprintf("`%s'", printable(pathText(d.Path())))
	if prefix, err := d.Subspace(); err == nil {
		text += " has the prefix " + s.keyText(prefix.Bytes())
	} else {
		text += " is a partition"
	}
	if len(d.Layer()) > 0 && !d.IsPartition() {
		text += fmt.Sprintf(" and the layer `%s'", tuple.Printable(d.Layer()))
	}
	return reply{text + "\n", dirFields(d)}, nil
}

func (s *Session) dirExists(ctx context.Context, args [][]byte) (reply, error) {
	if len(args) != 1 {
		return reply{}, usageOf("dir")
	}
	path := pathOf(args[0])
	exists, err := read(ctx, s, func(r kv.Reader) (bool, error) { return directory.Root().Exists(r, path) })
	if err != nil {
		return reply{}, err
	}
	text := fmt.Sprintf("`%s' exists\n", printable(pathText(path)))
	if !exists {
		text = fmt.Sprintf("`%s' does not exist\n", printable(pathText(path)))
	}
	return reply{text, fields{{"path", []byte(pathText(path))}, {"exists", exists}}}, nil
}
