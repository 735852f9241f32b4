'use client'

import { Menu } from '@base-ui/react/menu'
import { Check, Ellipsis } from 'lucide-react'
import Link from 'next/link'
import type { ComponentProps, ReactNode } from 'react'
import { buttonStyle } from './button.tsx'
import { cn } from './cn.ts'

export const popupStyle =
  'rounded-xl border bg-surface p-1 text-foreground shadow-popup outline-none transition-[opacity,scale] duration-100 data-ending-style:opacity-0 data-starting-style:scale-98 data-starting-style:opacity-0'

export const itemStyle =
  'flex min-h-8 select-none items-center gap-2.5 rounded-lg px-2.5 py-1 text-sm outline-none data-highlighted:bg-sunken data-disabled:opacity-50 dark:data-highlighted:bg-border/70 [&_svg]:size-4 [&_svg]:shrink-0'

interface MenuButtonProps {
  trigger: ReactNode
  /** Names the trigger where it has no words of its own. */
  label?: string
  triggerClassName?: string
  align?: 'start' | 'end'
  side?: 'top' | 'bottom'
  className?: string
  children: ReactNode
}

export function MenuButton(props: MenuButtonProps) {
  const { trigger, label, triggerClassName, align = 'end', side = 'bottom', className, children } = props
  return (
    <Menu.Root>
      <Menu.Trigger aria-label={label} className={triggerClassName}>
        {trigger}
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner align={align} side={side} sideOffset={6} className="z-50 outline-none">
          <Menu.Popup className={cn(popupStyle, 'min-w-52 max-w-[calc(100vw-2rem)]', className)}>
            {children}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}

/** What can be done with the row that it stands in, or with what a page is about. */
export function MoreMenu({ label, of = 'row', children }: MoreMenuProps) {
  const look =
    of === 'row'
      ? buttonStyle({ tone: 'ghost', size: 'icon' })
      : buttonStyle({ tone: 'secondary', className: 'w-9 px-0' })
  return (
    <MenuButton trigger={<Ellipsis aria-hidden />} label={label} triggerClassName={look}>
      {children}
    </MenuButton>
  )
}

interface MoreMenuProps {
  /** Names what it is of, for a screen reader. */
  label: string
  of?: 'row' | 'page'
  children: ReactNode
}

export function MenuItem({
  danger,
  className,
  ...props
}: ComponentProps<typeof Menu.Item> & { danger?: boolean }) {
  return <Menu.Item {...props} className={cn(itemStyle, danger === true && 'text-danger', className)} />
}

export function MenuLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Menu.LinkItem closeOnClick render={<Link href={href} />} className={itemStyle}>
      {children}
    </Menu.LinkItem>
  )
}

interface MenuChoiceProps {
  label: string
  value: string
  options: { value: string; label: string; icon?: ReactNode }[]
  onValueChange(value: string): void
}

/** One of several, such as the theme. */
export function MenuChoice({ label, value, options, onValueChange }: MenuChoiceProps) {
  return (
    <Menu.RadioGroup value={value} onValueChange={(chosen: string) => onValueChange(chosen)}>
      <MenuLabel>{label}</MenuLabel>
      {options.map((option) => (
        <Menu.RadioItem key={option.value} value={option.value} className={itemStyle}>
          {option.icon}
          <span className="flex-1">{option.label}</span>
          <Menu.RadioItemIndicator>
            <Check aria-hidden className="text-accent-text" />
          </Menu.RadioItemIndicator>
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  )
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return (
    <Menu.GroupLabel className="px-2.5 pt-2 pb-1 font-medium text-muted text-xs">{children}</Menu.GroupLabel>
  )
}

export const MenuGroup = Menu.Group

export function MenuSeparator() {
  return <Menu.Separator className="-mx-1 my-1 h-px bg-border" />
}
