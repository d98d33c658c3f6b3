package demo

import (
	"fmt"
	"strconv"
	"strings"
)

// Message is a line that the child process writes to its standard output.
type Message struct {
	Kind MessageKind
	// ID and Transfer belong to an acknowledgement, Sum to an audit.
	ID       TransferID
	Transfer Transfer
	Sum      int64
}

// MessageKind says what a message tells.
type MessageKind string

const (
	// MessageReady says that the store is open and transfers begin.
	MessageReady MessageKind = "ready"
	// MessageAcknowledged says that a transfer is committed.
	MessageAcknowledged MessageKind = "ack"
	// MessageAudited says what sum an audit saw.
	MessageAudited MessageKind = "audit"
)

// Line returns the message with its line end.
func (m Message) Line() string {
	switch m.Kind {
	case MessageAcknowledged:
		return fmt.Sprintf("%s %d %d %d %d %d\n", m.Kind, m.ID.Worker, m.ID.Number, m.Transfer.From, m.Transfer.To, m.Transfer.Amount)
	case MessageAudited:
		return fmt.Sprintf("%s %d\n", m.Kind, m.Sum)
	}
	return string(m.Kind) + "\n"
}

// ParseMessage reads a line without its end.
func ParseMessage(line string) (Message, error) {
	kind, rest, _ := strings.Cut(line, " ")
	m := Message{Kind: MessageKind(kind)}
	var err error
	switch m.Kind {
	case MessageReady:
		err = parseNumbers(rest)
	case MessageAcknowledged:
		var n [5]int64
		err = parseNumbers(rest, &n[0], &n[1], &n[2], &n[3], &n[4])
		m.ID = TransferID{Worker: int(n[0]), Number: int(n[1])}
		m.Transfer = Transfer{From: int(n[2]), To: int(n[3]), Amount: n[4]}
	case MessageAudited:
		err = parseNumbers(rest, &m.Sum)
	default:
		err = fmt.Errorf("unknown kind")
	}
	if err != nil {
		return Message{}, fmt.Errorf("message %.80q of the child process: %w", line, err)
	}
	return m, nil
}

// parseNumbers reads numbers between single spaces.
func parseNumbers(text string, targets ...*int64) error {
	fields := strings.Split(text, " ")
	if text == "" {
		fields = nil
	}
	if len(fields) != len(targets) {
		return fmt.Errorf("%d numbers instead of %d", len(fields), len(targets))
	}
	for i, field := range fields {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return err
		}
		*targets[i] = n
	}
	return nil
}
