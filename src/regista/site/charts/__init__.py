"""Figures as inline SVG, made at build time: data in, text out. Pure, standard library only.

Colours come from classes of `site_templates/css/charts.css`, so that dark mode and print work and
a strict CSP holds; everything else is geometry in attributes. Every text is escaped here. The
links in a figure stand outside the tab order: each figure comes with a table of the same facts,
whose links are reached by keyboard.
"""
