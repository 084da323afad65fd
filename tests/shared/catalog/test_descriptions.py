"""What vendors write is shown without anything that runs or loads."""

import pytest

from shared.catalog.descriptions import sanitized


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (None, None),
        ("", ""),
        ("Plain & simple", "Plain &amp; simple"),
        ("<h2>Buds</h2><ul><li><em>dense</em></li></ul>", "<h2>Buds</h2><ul><li><em>dense</em></li></ul>"),
        ("<script>x()</script><style>*{}</style>ok", "ok"),
        ('<img src="x" onerror="x()">ok', "ok"),
        ('<p style="position:fixed" class="c" id="i" onclick="x()">ok</p>', "<p>ok</p>"),
        ("<iframe src='https://e.com'></iframe><svg onload=x()></svg>ok", "ok"),
        (
            '<a href="https://e.com" title="t" target="_blank">ok</a>',
            '<a href="https://e.com" title="t" rel="nofollow noopener noreferrer">ok</a>',
        ),
        ('<a href="data:text/html,x">ok</a>', '<a rel="nofollow noopener noreferrer">ok</a>'),
        ("<p>not closed", "<p>not closed</p>"),
    ],
)
def test_only_harmless_formatting_is_left(written, shown):
    assert sanitized(written) == shown
