import { useCallback, useEffect, useRef, useState } from 'react'
import type { FileListing } from '@/platform/model/files.ts'
import type { Problem } from '../../../../../_actions/result.ts'
import type { AskFiles, FilePath } from './ask-files.ts'

export type FolderState =
  | { kind: 'loading' }
  | { kind: 'shown'; listing: FileListing }
  | { kind: 'refused'; problem: Problem }

export interface Folder {
  state: FolderState
  /** It is asked for anew; what was shown stays until the answer. */
  reload(): void
  /** The next page; null: there is none, or it is on its way. */
  more: (() => void) | null
}

/** What is in a folder, page by page. */
export function useFolder(files: AskFiles, { path, rawPath }: FilePath): Folder {
  const [state, setState] = useState<FolderState>({ kind: 'loading' })
  const [isWaiting, setWaiting] = useState(false)
  const [round, setRound] = useState(0)
  const turn = useRef(new AbortController())

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round asks again
  useEffect(() => {
    const own = new AbortController()
    turn.current = own
    files.list({ path, rawPath }, null, own.signal).then((answer) => {
      if (own.signal.aborted) return
      setState(answer.ok ? { kind: 'shown', listing: answer.data } : { kind: 'refused', problem: answer })
    })
    return () => own.abort()
  }, [files, path, rawPath, round])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another folder is not shown as this one
  useEffect(() => setState({ kind: 'loading' }), [files, path, rawPath])

  async function showMore(listing: FileListing): Promise<void> {
    const { signal } = turn.current
    setWaiting(true)
    const answer = await files.list({ path, rawPath }, listing.nextCursor, signal)
    setWaiting(false)
    if (signal.aborted) return
    if (!answer.ok) return setState({ kind: 'refused', problem: answer })
    setState({ kind: 'shown', listing: { ...answer.data, data: [...listing.data, ...answer.data.data] } })
  }

  const hasMore = state.kind === 'shown' && state.listing.nextCursor !== null && !isWaiting
  return {
    state,
    reload: useCallback(() => setRound((before) => before + 1), []),
    more: hasMore ? () => void showMore(state.listing) : null,
  }
}
