'use client'

import { useRouter } from 'next/navigation'
import { useEffect } from 'react'

const everyMs = 2_000

/** Reads the page anew now and then, as long as something on it waits and somebody looks. */
export function LookAgain({ isNeeded }: { isNeeded: boolean }) {
  const router = useRouter()
  useEffect(() => {
    if (!isNeeded) return
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') router.refresh()
    }, everyMs)
    return () => clearInterval(timer)
  }, [isNeeded, router])
  return null
}
