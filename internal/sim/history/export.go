package history

import (
	"bufio"
	"fmt"
	"io"
	"slices"
)

// pictureSteps bounds the search of each key in pictures.
const pictureSteps = 1_000_000

// Formats names the formats that Export knows, as endings of file names.
func Formats() []string { return []string{".txt", ".html", ".edn", ".json"} }

// Export writes the history in the format that a file of that ending holds:
//
//	.txt   the findings of Check, and each transaction in a line
//	.html  porcupine's picture, see WriteHTML
//	.edn   for Elle, see WriteElle
//	.json  what Decode reads
//
// Not every history can be written in every format: ErrUnusable.
func Export(w io.Writer, h *History, ending string) error {
	switch ending {
	case ".txt":
		return writeText(w, h)
	case ".html":
		return WriteHTML(w, h, pictureSteps)
	case ".edn":
		return WriteElle(w, h)
	case ".json":
		data, err := h.Encode()
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	return unusable("no format ends with %q; there are %v", ending, Formats())
}

func writeText(w io.Writer, h *History) error {
	found, err := Check(h)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	for _, a := range found {
		fmt.Fprintf(out, "%v\n\n", a)
	}
	order := make([]int, len(h.Transactions))
	for n := range order {
		order[n] = n
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(h.Transactions[a].Begin - h.Transactions[b].Begin) })
	for _, n := range order {
		fmt.Fprintln(out, h.describe(n))
	}
	return out.Flush()
}
