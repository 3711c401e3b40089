"""A claim made to be quoted: what its card says, and the card as a picture and as a page."""

from gpt4lab.book.cards.card import Card, card
from gpt4lab.book.cards.drawn import page, picture
from gpt4lab.book.cards.preview import HEIGHT, WIDTH, preview
