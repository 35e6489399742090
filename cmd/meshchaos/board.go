package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// board is the last lines of a terminal, which are written over as what they tell of goes
// on. Each frame is one write, so that nobody sees half of one, and no more than a
// terminal of any kind can do.
type board struct {
	to    io.Writer
	size  func() (columns, rows int)
	drawn []int // how many columns each line takes that is there
}

// movable says whether what was written to a stream can be written over.
func movable(w io.Writer) bool {
	kind := os.Getenv("TERM")
	return kind != "" && kind != "dumb" && isTerminal(w)
}

func newBoard(w io.Writer) *board {
	return &board{to: w, size: func() (int, int) {
		width, height, err := term.GetSize(int(fileOf(w).Fd()))
		if err != nil || width < 1 || height < 1 {
			return 80, 24
		}
		return width, height
	}}
}

// over is what leads to the beginning of the lines that are there. A terminal that has
// become narrower has folded those that no longer fit.
func (b *board) over() string {
	if len(b.drawn) == 0 {
		return "\r"
	}
	width, _ := b.size()
	up := -1 // the cursor stands behind the last one
	for _, columns := range b.drawn {
		up += max(1, (columns+width-1)/width)
	}
	if up == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", up)
}

// draw writes lines in the place of those that are there, as many as fit.
func (b *board) draw(lines []styled) {
	width, rows := b.size()
	if most := max(rows-1, 1); len(lines) > most {
		lines = append(lines[:most-1:most-1], styled{{text: fmt.Sprintf("%d more", len(lines)-most+1)}})
	}
	var frame strings.Builder
	frame.WriteString(b.over())
	b.drawn = b.drawn[:0]
	for i, line := range lines {
		if i > 0 {
			frame.WriteString("\n")
		}
		line = line.cut(width - 1)
		frame.WriteString(line.String() + "\x1b[K")
		b.drawn = append(b.drawn, line.columns())
	}
	frame.WriteString("\x1b[J")
	_, _ = io.WriteString(b.to, frame.String()) // whoever cannot be told cannot be told of that either
}

// wipe takes the lines away.
func (b *board) wipe() {
	if len(b.drawn) > 0 {
		_, _ = io.WriteString(b.to, b.over()+"\x1b[J")
		b.drawn = nil
	}
}

// styled is a line in pieces.
type styled []piece

type piece struct {
	text  string
	style string // of ECMA-48's SGR: 1, 31; empty: plain
}

func (s styled) columns() int {
	n := 0
	for _, p := range s {
		n += utf8.RuneCountInString(p.text)
	}
	return n
}

// cut leaves out what does not fit.
func (s styled) cut(most int) styled {
	if s.columns() <= most {
		return s
	}
	var out styled
	for _, p := range s {
		runes := []rune(p.text)
		if len(runes) > most {
			p.text = string(runes[:max(most, 0)])
		}
		out, most = append(out, p), most-len(runes)
		if most <= 0 {
			break
		}
	}
	return out
}

// String is the line as a terminal takes it.
func (s styled) String() string {
	var out strings.Builder
	for _, p := range s {
		if p.style == "" {
			out.WriteString(p.text)
		} else {
			out.WriteString("\x1b[" + p.style + "m" + p.text + "\x1b[0m")
		}
	}
	return out.String()
}

// wrapped sets fields into lines of a width: blanks between them, and those that do not
// fit on lines below, indented.
func wrapped(fields []styled, blanks, width, indent int) []styled {
	var lines []styled
	var line styled
	for _, field := range fields {
		if len(field) == 0 {
			continue
		}
		switch {
		case len(line) == 0:
		case line.columns()+blanks+field.columns() <= width:
			line = append(line, piece{text: strings.Repeat(" ", blanks)})
		default:
			lines = append(lines, line)
			line = styled{{text: strings.Repeat(" ", indent)}}
		}
		line = append(line, field...)
	}
	if len(line) > 0 {
		lines = append(lines, line)
	}
	return lines
}
