'use client'

import type { ComponentProps } from 'react'
import type { ActionResult } from '../_actions/result.ts'
import { Button } from './button.tsx'
import { useAction } from './use-action.ts'

interface ActionButtonProps extends Omit<ComponentProps<typeof Button>, 'onClick'> {
  action: () => Promise<ActionResult<unknown>>
  done?: string
}

/** Runs one action; what goes wrong is said in words that go away. */
export function ActionButton({ action, done, ...props }: ActionButtonProps) {
  const { run, pending } = useAction()
  return <Button {...props} pending={pending} onClick={() => run(action, { done })} />
}
