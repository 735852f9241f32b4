'use client'

import { useEffect, useRef, useState } from 'react'
import { type BuildStep, createStepReader } from '@/platform/model/build-steps.ts'
import type { BuildLine } from '@/platform/model/builds.ts'
import { type Connection, useEventStream } from '../_ui/use-event-stream.ts'

interface Log {
  lines: BuildLine[]
  steps: readonly BuildStep[]
}

export interface BuildLogState extends Log {
  connection: Connection
  /** It could not be read. */
  hasFailed: boolean
  isLoading: boolean
}

const flushMs = 100
const empty: Log = { lines: [], steps: [] }

/**
 * All that a build says: as it says it, across lost connections, and the whole of it once it is over. What is shown
 * changes a few times a second, however fast lines come.
 */
export function useBuildLog(deploymentId: string, isRunning: boolean): BuildLogState {
  const path = `/api/v1/deployments/${deploymentId}/build-log`
  const [log, setLog] = useState<Log>(empty)
  const [isLoading, setLoading] = useState(true)
  const [hasFailed, setFailed] = useState(false)
  const lines = useRef<BuildLine[]>([])
  const reader = useRef(createStepReader())
  const shown = useRef(0)

  const connection = useEventStream(isRunning ? path : null, (data) => {
    const line = JSON.parse(data) as BuildLine
    lines.current.push(line)
    reader.current.add(line)
  })

  useEffect(() => {
    if (!isRunning) return
    const timer = setInterval(() => {
      if (lines.current.length === shown.current) return
      shown.current = lines.current.length
      setLoading(false)
      setLog({ lines: [...lines.current], steps: reader.current.steps.map((step) => ({ ...step })) })
    }, flushMs)
    return () => clearInterval(timer)
  }, [isRunning])

  useEffect(() => {
    if (isRunning) return
    const leave = new AbortController()
    readAll(path, leave.signal)
      .then((read) => {
        setFailed(false)
        setLog(read)
        setLoading(false)
      })
      .catch(() => {
        if (leave.signal.aborted) return
        setFailed(true)
        setLoading(false)
      })
    return () => leave.abort()
  }, [isRunning, path])

  return { ...log, connection, hasFailed, isLoading }
}

async function readAll(path: string, signal: AbortSignal): Promise<Log> {
  const response = await fetch(path, { signal, headers: { accept: 'application/json' } })
  if (!response.ok) throw new Error(`the log can't be read: ${response.status}`)
  const { lines } = (await response.json()) as { lines: BuildLine[] }
  const reader = createStepReader()
  for (const line of lines) reader.add(line)
  return { lines, steps: reader.steps }
}
