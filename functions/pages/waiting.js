setTimeout(() => location.reload(), 1000 * document.forms[0].dataset.seconds);
