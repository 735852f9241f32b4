'use client'

import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { useEffect, useRef } from 'react'
import { cn } from './cn.ts'

interface TabsProps {
  label: string
  className?: string
  tabs: { href: string; label: string }[]
}

/** Each tab is a page with an address of its own, or stands for all below it. */
export function Tabs({ label, tabs, className }: TabsProps) {
  const path = usePathname()
  const [current] = tabs
    .map(({ href }) => href)
    .filter((href) => path === href || path.startsWith(`${href}/`))
    .sort((a, b) => b.length - a.length)
  const frame = useRef<HTMLElement>(null)
  // On a phone it may be far to the right, or come to be so when that is turned.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another tab is to be seen
  useEffect(() => {
    const nav = frame.current
    if (nav === null) return
    const watching = new ResizeObserver(() => showCurrent(nav))
    watching.observe(nav)
    return () => watching.disconnect()
  }, [current])
  return (
    <nav
      ref={frame}
      aria-label={label}
      className={cn('-mx-4 mb-6 overflow-x-auto border-b px-4 sm:mx-0 sm:px-0', className)}
    >
      <ul className="flex gap-5">
        {tabs.map((tab) => (
          <li key={tab.href}>
            <Link
              href={tab.href}
              aria-current={current === tab.href ? 'page' : undefined}
              className={cn(
                '-outline-offset-2 inline-flex h-10 items-center whitespace-nowrap border-b-2 transition-colors',
                current === tab.href
                  ? 'border-accent font-medium text-foreground'
                  : 'border-transparent text-muted hover:text-foreground',
              )}
            >
              {tab.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function showCurrent(nav: HTMLElement): void {
  const tab = nav.querySelector('[aria-current]')?.getBoundingClientRect()
  const { left, right, width } = nav.getBoundingClientRect()
  if (tab !== undefined && (tab.left < left || tab.right > right))
    nav.scrollBy({ left: tab.left - left - (width - tab.width) / 2 })
}
