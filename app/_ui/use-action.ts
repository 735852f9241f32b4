'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useRef, useState, useTransition } from 'react'
import type { ActionResult, Problem } from '../_actions/result.ts'
import { toast } from './toast.client.tsx'
import { useProblemText } from './use-problem-text.ts'

interface RunOptions<Data> {
  /** Waited for before the page reads itself anew. */
  onDone?: (data: Data) => unknown
  /** Words shown when it is done. */
  done?: string
}

/** Runs server actions one at a time; keeps the last problem until the next attempt. The page reads itself anew after. */
export function useAction({ refresh = true }: { refresh?: boolean } = {}) {
  const router = useRouter()
  const text = useProblemText()
  const [pending, start] = useTransition()
  const [problem, setProblem] = useState<Problem | null>(null)
  const form = useRef<HTMLFormElement>(null)

  useEffect(() => {
    if (problem !== null) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [problem])

  function run<Data>(action: () => Promise<ActionResult<Data>>, options: RunOptions<Data> = {}): void {
    setProblem(null)
    start(async () => {
      const result = await action().catch(unreachable)
      if (result.ok) {
        await options.onDone?.(result.data)
        if (options.done !== undefined) toast('success', options.done)
        if (refresh) router.refresh()
        return
      }
      setProblem(result)
      // Where there is no form to show it in.
      if (form.current === null) toast('danger', text.of(result))
    })
  }

  return {
    run,
    pending,
    problem,
    clear: () => setProblem(null),
    /** Give it to the form whose fields show the problem. */
    form,
    errorOf: (path: string) => text.ofField(problem, path),
    /** The whole problem in words, unless fields say it already. */
    summary: (shownPaths: string[] = []) => {
      if (problem === null) return null
      const rest = problem.fields.filter(({ path }) => !shownPaths.includes(path))
      if (problem.fields.length === 0) return text.of(problem)
      return rest.length === 0
        ? null
        : rest.map(({ path, message }) => `${path}: ${text.words(message)}`).join(' ')
    },
  }
}

/** The server didn't answer: it restarts, or the network is away. */
function unreachable(): Problem {
  return {
    ok: false,
    code: 'unavailable',
    message: 'Berth does not answer. Try again in a moment.',
    fields: [],
    retryAfterSeconds: null,
  }
}
