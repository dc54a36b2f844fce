document.title = "HeliOS";
