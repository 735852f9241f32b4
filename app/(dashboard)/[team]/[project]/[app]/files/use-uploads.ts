import { useEffect, useRef, useState } from 'react'
import type { Problem } from '../../../../../_actions/result.ts'
import type { AskFiles, FilePath } from './ask-files.ts'

export interface Upload {
  id: number
  name: string
  sizeBytes: number
  doneBytes: number
  state: 'waiting' | 'sending' | 'done' | 'refused' | 'stopped'
  problem: Problem | null
}

export interface Uploads {
  all: Upload[]
  add(files: AskFiles, uploads: { at: FilePath; file: File }[]): void
  stop(id: number): void
  /** Sends it again, in the place of what is there. */
  replace(id: number): void
  /** Those that have come to an end are not shown any more. */
  clear(): void
}

interface Work {
  files: AskFiles
  at: FilePath
  file: File
  stop: AbortController
}

/** Files on their way up, one after the other. Leaving the page stops them. */
export function useUploads(onDone: () => void): Uploads {
  const [all, setAll] = useState<Upload[]>([])
  const works = useRef(new Map<number, Work>())
  const line = useRef<Promise<void>>(Promise.resolve())
  const lastId = useRef(0)
  const done = useRef(onDone)
  done.current = onDone

  useEffect(
    () => () => {
      for (const { stop } of works.current.values()) stop.abort()
    },
    [],
  )

  function change(id: number, to: Partial<Upload>): void {
    setAll((before) => before.map((each) => (each.id === id ? { ...each, ...to } : each)))
  }

  function begin(id: number, work: Work, replace: boolean): void {
    works.current.set(id, work)
    line.current = line.current.then(async () => {
      const { signal } = work.stop
      if (signal.aborted) return
      change(id, { state: 'sending' })
      const answer = await work.files.upload(work.at, work.file, {
        ...{ replace, signal },
        onProgress: (doneBytes) => change(id, { doneBytes }),
      })
      if (signal.aborted) return
      if (answer.ok) change(id, { state: 'done', doneBytes: work.file.size })
      else change(id, { state: 'refused', problem: answer })
      if (answer.ok) done.current()
    })
  }

  return {
    all,
    add(files, uploads) {
      for (const { at, file } of uploads) {
        const id = ++lastId.current
        const { name, size: sizeBytes } = file
        const state = 'waiting' as const
        setAll((before) => [...before, { id, name, sizeBytes, doneBytes: 0, state, problem: null }])
        begin(id, { files, at, file, stop: new AbortController() }, false)
      }
    },
    stop(id) {
      works.current.get(id)?.stop.abort()
      change(id, { state: 'stopped' })
    },
    replace(id) {
      const work = works.current.get(id)
      if (work === undefined) return
      change(id, { state: 'waiting', doneBytes: 0, problem: null })
      begin(id, { ...work, stop: new AbortController() }, true)
    },
    clear: () => setAll((before) => before.filter(({ state }) => state === 'waiting' || state === 'sending')),
  }
}
