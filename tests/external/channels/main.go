// Channels reads channels from standard input and writes what op-node's own code makes of each, a line per channel.
//
// Input, per channel: 8 bytes of limit, 1 byte that is 1 from Fjord, 4 bytes of length, the channel; all big-endian.
// Output, per channel: the SHA-256 of each batch, "dropped" for a span that was read but not derived, then how it ended.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/big"
	"os"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-node/rollup/derive"
)

var config = &rollup.Config{
	BlockTime: 2,
	L2ChainID: big.NewInt(901),
	Genesis:   rollup.Genesis{L2Time: 1_700_000_000},
}

func number(out hash.Hash, value uint64) { binary.Write(out, binary.BigEndian, value) }

func data(out hash.Hash, value []byte) {
	number(out, uint64(len(value)))
	out.Write(value)
}

func describe(batch *derive.BatchData) (string, error) {
	out := sha256.New()
	if batch.GetBatchType() == derive.SingularBatchType {
		single, err := derive.GetSingularBatch(batch)
		if err != nil {
			return "", err
		}
		out.Write(single.ParentHash[:])
		number(out, uint64(single.EpochNum))
		out.Write(single.EpochHash[:])
		number(out, single.Timestamp)
		for _, transaction := range single.Transactions {
			data(out, transaction)
		}
		return "singular:" + hex.EncodeToString(out.Sum(nil)), nil
	}
	span, err := derive.DeriveSpanBatch(batch, config)
	if err != nil {
		return "", err
	}
	out.Write(span.ParentCheck[:])
	out.Write(span.L1OriginCheck[:])
	for index := 0; index < span.GetBlockCount(); index++ {
		number(out, span.GetBlockTimestamp(index))
		number(out, span.GetBlockEpochNum(index))
		transactions := span.GetBlockTransactions(index)
		number(out, uint64(len(transactions)))
		for _, transaction := range transactions {
			data(out, transaction)
		}
	}
	return "span:" + hex.EncodeToString(out.Sum(nil)), nil
}

func read(channel []byte, limit uint64, isFjord bool, out *bufio.Writer) {
	next, err := derive.BatchReader(bytes.NewBuffer(channel), limit, isFjord)
	if err != nil {
		fmt.Fprintf(out, "refused\n")
		return
	}
	for {
		batch, err := next()
		if errors.Is(err, io.EOF) {
			fmt.Fprintf(out, "end\n")
			return
		} else if err != nil {
			fmt.Fprintf(out, "error\n")
			return
		}
		text, err := describe(batch)
		if err != nil {
			text = "dropped"
		}
		fmt.Fprintf(out, "%s ", text)
	}
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var head [13]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		channel := make([]byte, binary.BigEndian.Uint32(head[9:]))
		if _, err := io.ReadFull(in, channel); err != nil {
			panic(err)
		}
		read(channel, binary.BigEndian.Uint64(head[:8]), head[8] == 1, out)
		out.Flush()
	}
}
