#!/usr/bin/env python3
"""Draws the pictures of windows.md.

Usage: draw_windows.py [FOLDER]     writes docs/images/*.svg, or the same into another folder; the output is committed,
and check_docs.py compares.
"""
import pathlib
import sys

IMAGES = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / 'images'
LEFT, WIDTH, ROW = 180, 620, 46
INK, LINE, DOT = '#333333', '#999999', '#205080'
FILLS = ['#cfe2f3', '#d9ead3', '#fff2cc', '#f4cccc']


class Picture:
    """Rows over one axis of time, from 0 to `until`."""

    def __init__(self, until):
        self.until = until
        self.parts = []
        self.height = 16

    def x(self, time):
        return round(LEFT + WIDTH * time / self.until, 1)

    def text(self, x, y, text, size=13, anchor='start', color=INK):
        self.parts.append(f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{color}">{text}</text>')

    def box(self, start, end, y, height, fill, label=''):
        width = round(self.x(end) - self.x(start), 1)
        self.parts.append(f'<rect x="{self.x(start)}" y="{y}" width="{width}" height="{height}" rx="3" '
                          f'fill="{fill}" stroke="{LINE}"/>')
        if label:
            self.text(round((self.x(start) + self.x(end)) / 2, 1), y + height / 2 + 4, label, 11, 'middle')

    def dots(self, times, y, color=DOT):
        for time in times:
            self.parts.append(f'<circle cx="{self.x(time)}" cy="{y}" r="4" fill="{color}"/>')

    def marker(self, time, top, bottom, label):
        self.parts.append(f'<line x1="{self.x(time)}" y1="{top}" x2="{self.x(time)}" y2="{bottom}" stroke="{INK}" '
                          f'stroke-dasharray="4 3"/>')
        self.text(self.x(time), top - 5, label, 11, 'middle')

    def row(self, name, boxes, lanes=1):
        """boxes: (start, end, lane, label)."""
        height = max(ROW, 20 * lanes + 14)
        self.text(8, self.height + 4 + (20 * lanes - 2) / 2 + 5, name)
        for number, (start, end, lane, label) in enumerate(boxes):
            self.box(start, end, self.height + 4 + 20 * lane, 18, FILLS[number % len(FILLS)], label)
        self.height += height

    def records(self, name, times):
        self.text(8, self.height + 16, name)
        self.parts.append(f'<line x1="{LEFT}" y1="{self.height + 12}" x2="{LEFT + WIDTH}" y2="{self.height + 12}" '
                          f'stroke="{LINE}"/>')
        self.dots(times, self.height + 12)
        self.height += 36

    def save(self, name):
        width = LEFT + WIDTH + 20
        body = '\n'.join(self.parts)
        (IMAGES / name).write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{self.height}" '
            f'viewBox="0 0 {width} {self.height}" font-family="sans-serif">\n'
            f'<rect width="{width}" height="{self.height}" fill="white"/>\n{body}\n</svg>\n')


def kinds():
    picture = Picture(60)
    times = [2, 5, 8, 11, 13, 26, 29, 33, 36, 48, 51, 57]
    picture.records('records of a key', times)
    picture.row('tumbling, 15 s', [(start, start + 15, 0, '') for start in range(0, 60, 15)])
    sliding = [(start, min(start + 20, 60), number % 2, '') for number, start in enumerate(range(0, 60, 10))]
    picture.row('sliding, 20 s by 10 s', sliding, 2)
    grown = [(start, start + length, lane, '') for start in (0, 30) for lane, length in enumerate((10, 20, 30))]
    picture.row('cumulating, 30 s by 10 s', grown, 3)
    picture.row('session, gap 8 s', [(2, 21, 0, ''), (26, 44, 0, ''), (48, 60, 0, 'open')])
    picture.row('count, 4', [(2, 11.5, 0, '4 records'), (13, 33.5, 0, '4 records'), (36, 57.5, 0, '4 records')])
    picture.row('global', [(0, 60, 0, 'all of time')])
    picture.save('windows.svg')


def lateness():
    picture = Picture(60)
    picture.height = 40
    picture.row('window', [(5, 25, 0, 'records are added'), (25, 45, 0, 'and fire it again'), (45, 60, 0, 'too late')])
    bottom = picture.height
    picture.marker(25, 34, bottom, 'watermark at the end: fires')
    picture.marker(45, 34, bottom, 'end + lateness: forgotten')
    picture.save('lateness.svg')


def sessions():
    picture = Picture(40)
    picture.records('records', [2, 6, 21, 25])
    picture.row('sessions, gap 8 s', [(2, 14, 0, ''), (21, 33, 0, '')])
    picture.records('a record at 13 …', [2, 6, 13, 21, 25])
    picture.row('… makes them one', [(2, 33, 0, '')])
    picture.save('sessions.svg')


if __name__ == '__main__':
    IMAGES.mkdir(exist_ok=True)
    kinds()
    lateness()
    sessions()
