'use client'

import { useCallback, useEffect, useRef, useState } from 'react'
import type { LogLine } from '@/platform/model/events.ts'
import { type Connection, useEventStream } from '../../../../../_ui/use-event-stream.ts'

/** Lines that are drawn as one piece and never change afterwards, so that React looks at few things for each batch. */
export interface LogChunk {
  key: number
  lines: LogLine[]
}

const flushMs = 80
const chunkLines = 200
const keptChunks = 25

interface LogLines {
  chunks: LogChunk[]
  /** How many lines came while it was paused. */
  held: number
  connection: Connection
  clear(): void
}

/** Follows an app's log. Keeps the last 5,000 lines; while paused it goes on collecting, and shows them afterwards. */
export function useLogLines(appId: string, paused: boolean): LogLines {
  const [chunks, setChunks] = useState<LogChunk[]>([])
  const [held, setHeld] = useState(0)
  const waiting = useRef<LogLine[]>([])
  const nextKey = useRef(0)

  const connection = useEventStream(`/api/v1/apps/${appId}/logs?tail=1000`, (data) => {
    waiting.current.push(JSON.parse(data) as LogLine)
    if (waiting.current.length > 2 * chunkLines * keptChunks)
      waiting.current.splice(0, chunkLines * keptChunks)
  })

  useEffect(() => {
    const timer = setInterval(() => {
      if (waiting.current.length === 0) return
      if (paused) {
        setHeld(waiting.current.length)
        return
      }
      const lines = waiting.current
      waiting.current = []
      setHeld(0)
      setChunks((before) => append(before, lines, nextKey))
    }, flushMs)
    return () => clearInterval(timer)
  }, [paused])

  const clear = useCallback(() => {
    waiting.current = []
    setHeld(0)
    setChunks([])
  }, [])
  return { chunks, held, connection, clear }
}

function append(before: LogChunk[], lines: LogLine[], nextKey: { current: number }): LogChunk[] {
  const chunks = [...before]
  let rest = lines
  const last = chunks.at(-1)
  if (last !== undefined && last.lines.length < chunkLines) {
    const room = chunkLines - last.lines.length
    chunks[chunks.length - 1] = { key: last.key, lines: [...last.lines, ...rest.slice(0, room)] }
    rest = rest.slice(room)
  }
  while (rest.length > 0) {
    nextKey.current += 1
    chunks.push({ key: nextKey.current, lines: rest.slice(0, chunkLines) })
    rest = rest.slice(chunkLines)
  }
  return chunks.slice(-keptChunks)
}
